"""Whose turn is it, and is it over?"""
