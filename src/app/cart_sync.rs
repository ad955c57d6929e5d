//! Syncing the open cart beside the loop: no key waits for it.
//!
//! Room: app. May touch: the cart's file, on one thread.
//! Invariant: at most one sync is asked for beside the one that runs; an idle thread sleeps.

use std::io;
use std::thread;

use crossbeam_channel::{Sender, bounded};

use crate::store::cart_log::CartLog;

/// The syncing thread; it ends when this is dropped.
pub struct CartSync(Sender<()>);

impl CartSync {
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(cart: CartLog) -> io::Result<Self> {
        let (ask, asked) = bounded(1);
        thread::Builder::new().name("cart".to_owned()).spawn(move || {
            for () in asked {
                // A cart that cannot be synced is still in the file: only a power cut takes it.
                let _ = cart.opened();
            }
        })?;
        Ok(Self(ask))
    }

    /// Asks for a sync of what is written so far, and of the note that a register works here.
    pub fn ask(&self) {
        let _ = self.0.try_send(()); // One that waits already syncs this, too.
    }
}
