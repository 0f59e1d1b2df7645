"""Signs of units that are the same in all languages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pipelines.text import cldr
from pipelines.text.languages.language import Names, SpokenLanguage

SIGNS: Mapping[str, str] = {
    "kg": "mass-kilogram", "g": "mass-gram", "mg": "mass-milligram",
    "µg": "mass-microgram", "μg": "mass-microgram", "mcg": "mass-microgram",
    "km": "length-kilometer", "m": "length-meter", "dm": "length-decimeter",
    "cm": "length-centimeter", "mm": "length-millimeter", "µm": "length-micrometer",
    "km²": "area-square-kilometer", "m²": "area-square-meter", "cm²": "area-square-centimeter",
    "km2": "area-square-kilometer", "m2": "area-square-meter", "cm2": "area-square-centimeter",
    "m³": "volume-cubic-meter", "m3": "volume-cubic-meter", "cm³": "volume-cubic-centimeter",
    "cm3": "volume-cubic-centimeter", "ha": "area-hectare",
    "l": "volume-liter", "L": "volume-liter", "dl": "volume-deciliter", "dL": "volume-deciliter",
    "cl": "volume-centiliter", "ml": "volume-milliliter", "mL": "volume-milliliter",
    "km/h": "speed-kilometer-per-hour", "kmh": "speed-kilometer-per-hour",
    "kph": "speed-kilometer-per-hour", "m/s": "speed-meter-per-second",
    "mph": "speed-mile-per-hour", "‰": "concentr-permille",
    "s": "duration-second", "h": "duration-hour", "min": "duration-minute",
    "ms": "duration-millisecond",
    "°": "angle-degree", "°C": "temperature-celsius", "°F": "temperature-fahrenheit",
    "kB": "digital-kilobyte", "KB": "digital-kilobyte", "MB": "digital-megabyte",
    "GB": "digital-gigabyte", "TB": "digital-terabyte",
    "kbit": "digital-kilobit", "Mbit": "digital-megabit", "Mb": "digital-megabit",
    "Gbit": "digital-gigabit", "Gb": "digital-gigabit",
    "W": "power-watt", "kW": "power-kilowatt", "MW": "power-megawatt", "GW": "power-gigawatt",
    "kWh": "energy-kilowatt-hour", "kJ": "energy-kilojoule", "kcal": "energy-kilocalorie",
    "V": "electric-volt", "mA": "electric-milliampere", "Hz": "frequency-hertz",
    "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz", "GHz": "frequency-gigahertz",
    "mmHg": "pressure-millimeter-ofhg", "hPa": "pressure-hectopascal",
    "psi": "pressure-pound-force-per-square-inch",
    "mmol/l": "concentr-millimole-per-liter", "mmol/L": "concentr-millimole-per-liter",
}  # fmt: skip
"""CLDR's names, by what stands after a number."""

PER: Mapping[str, str] = {
    "s": "duration-second", "sec": "duration-second", "min": "duration-minute",
    "h": "duration-hour", "hr": "duration-hour",
    "ml": "volume-milliliter", "mL": "volume-milliliter",
    "dl": "volume-deciliter", "dL": "volume-deciliter", "l": "volume-liter", "L": "volume-liter",
    "mg": "mass-milligram", "g": "mass-gram", "kg": "mass-kilogram",
    "m": "length-meter", "km": "length-kilometer", "m²": "area-square-meter",
    "m2": "area-square-meter", "m³": "volume-cubic-meter", "m3": "volume-cubic-meter",
    "ha": "area-hectare", "kWh": "energy-kilowatt-hour", "MB": "digital-megabyte",
    "GB": "digital-gigabyte",
}  # fmt: skip
"""The same, by what stands after a slash: "120 mg/dl", "0,35 €/kWh"."""


@cache
def unit_names(sign: str, language: SpokenLanguage) -> Names:
    """Return what one and several of the unit with this sign are called."""
    name = language.units.get(sign) or SIGNS[sign]
    return cldr.unit(name, language.code) if isinstance(name, str) else name


@cache
def per_names(language: SpokenLanguage) -> Mapping[str, str]:
    """Return what one of a unit is called, by what may stand for it after a slash."""
    words = {word: word for word in language.per_what.split()}
    signs = {sign: cldr.unit(name, language.code)[0] for sign, name in PER.items()}
    own = {sign: unit_names(sign, language)[0] for sign in PER.keys() & language.units.keys()}
    return words | signs | own | dict(language.per_signs)
