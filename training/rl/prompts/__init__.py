"""From a corpus of problems to the prompts of GRPO: rows that verl and TRL both read, and the tokenizer they need.

problems, validation → sameness → templates, tokenizer → prepare → files
"""
