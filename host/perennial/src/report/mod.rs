//! What people look at: tables, months and the picture, made from events.
