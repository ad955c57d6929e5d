//! Documents and analyses from what they are handed.
