"""What language models and their servers write among the words of a reply, by its form.

Reasoning, tools that are called in text, tokens of chat templates, marks of citations. Servers
should take all of this out, and do not: a template that does not fit the model, a parser that is
not switched on, a stop token that is not known. Each form was seen in the output of a family of
models. A file reads what begins with one kind of character; :mod:`pipelines.text.reply_text` asks.
"""
