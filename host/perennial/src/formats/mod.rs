//! The file formats that outside programs rely on: what they look like, and nothing else.
