"""The steps of curation, one idea a file; each is a datatrove PipelineStep."""
