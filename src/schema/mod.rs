//! Schemas of what goes into a prompt and what comes back from a model.
