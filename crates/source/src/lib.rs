//! The user's files: walk, exclude, read, write back.
