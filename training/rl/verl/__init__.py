"""GRPO with verl 0.9.1: overrides, scripts and a reward package in, a proven outcome out; verl is never imported.

options, given   what a launch rests on
overrides        manifest → settings of each stage     words → as Hydra reads them     schema, refuse → what cannot be
write            all files, asked of verl by validate
launch           jobs, process: started    follow, samples: told to the journal    resume: gone on from
outcome, export  proved, and made a Hugging Face folder
foreign/         what verl's own processes run of ours
"""
