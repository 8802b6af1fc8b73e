//! The bearer token of whoever asks, on its way to a storage that decides by it what may be seen.
//!
//! It travels beside a call and not as an argument, because most storages have no use for it.

use std::fmt;

/// A bearer token. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// What stands after `Bearer` in a header.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself: for a header alone, never for a log.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

tokio::task_local! {
    static CALLER: Token;
}

/// Runs a call for a caller: [`of_caller`] tells its token within `call`, though not within tasks that `call` starts.
pub async fn with<F: Future>(token: Token, call: F) -> F::Output {
    CALLER.scope(token, call).await
}

/// The token of the caller for whom this runs; `None` when there is none, or it is not to be handed on.
pub fn of_caller() -> Option<Token> {
    CALLER.try_with(Clone::clone).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantees: the token is there within the call and nowhere else, and does not show in a log.
    #[tokio::test]
    async fn within_the_call() {
        let token = Token::new("s3cret");
        assert_eq!(with(token.clone(), async { of_caller() }).await, Some(token.clone()));
        assert_eq!(of_caller(), None);
        assert_eq!(format!("{token:?}"), "Token(***)");
    }
}
