"""Release, manifest and site."""
