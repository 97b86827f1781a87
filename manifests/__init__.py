"""The contracts: manifests, records, fingerprints, on-disk formats, the catalog, paths and errors."""
