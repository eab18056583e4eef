"""Missing fields → values of the profile, or what follows from others: the parts of `apply_profile`, one for each part
of a pipeline."""
