"""What the demo data is made of: problems, pages, markups and the WARC. `benchmarks/demo_data.py` puts it together."""
