//! What is held, until when, and what is known of it already.
