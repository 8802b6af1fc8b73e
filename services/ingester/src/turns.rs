//! Whose turn it is: chunks are worked on side by side, and counted one after the other.

use tokio::sync::watch;

/// Numbers are let through one after the other.
#[derive(Debug)]
pub(crate) struct Turns {
    next: watch::Sender<u64>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { next: watch::Sender::new(0) }
    }
}

/// A chunk's place in the line; the next is let through when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    number: u64,
}

impl Turns {
    /// The place with this number, which each has to be taken once.
    pub fn place(&self, number: u64) -> Turn<'_> {
        Turn { turns: self, number }
    }
}

impl Turn<'_> {
    /// Waits until all before have had their turn.
    pub async fn come(&self) {
        // The sender is borrowed: it cannot have gone.
        let _ = self.turns.next.subscribe().wait_for(|next| *next >= self.number).await;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.next.send_modify(|next| *next = (*next).max(self.number + 1));
    }
}
