//! The journal (truth) and the redb store (quick), both in the shop folder.
