//! Files in and out, through the reader or writer they are handed.
