"""The language in which a clinic's engineer describes a source: one YAML file, no code."""

from assets.deliveries.profile.loading import (
    PROFILE_FOLDER,
    Profile,
    find_profile,
    load_profile,
    save_profile,
)

__all__ = ["PROFILE_FOLDER", "Profile", "find_profile", "load_profile", "save_profile"]
