"""WARC to shards, as datatrove steps run by datatrove executors."""
