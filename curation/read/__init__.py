"""Reading: from input files (WARC, WET, HTML, JSONL, Parquet) to records, each with its place or its problem."""
