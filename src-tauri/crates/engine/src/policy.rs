use tokenry_core::Caller;

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read lists and status.
    Read,
    /// Change where secrets go.
    ChangeProvider,
    /// Start or finish a consent flow.
    Connect,
    /// Be handed an access token.
    Token,
    /// Refresh now.
    Refresh,
    /// Give a connection up.
    Disconnect,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Not for this caller.
    Deny,
}

/// The one place that decides. Every program of the same user is allowed, and what it did is in the activity log;
/// the engine itself refreshes and nothing else. Other users never get as far: the socket's door turns them away.
pub fn decide(caller: &Caller, operation: Operation) -> Decision {
    match (caller, operation) {
        (Caller::Ui | Caller::Program(_), _) | (Caller::Engine, Operation::Read | Operation::Refresh) => {
            Decision::Allow
        }
        (Caller::Engine, _) => Decision::Deny,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_itself_is_never_handed_a_token_and_starts_no_flow() {
        for operation in [
            Operation::Token,
            Operation::Connect,
            Operation::Disconnect,
            Operation::ChangeProvider,
        ] {
            assert_eq!(
                decide(&Caller::Engine, operation),
                Decision::Deny,
                "{operation:?}"
            );
        }
        assert_eq!(decide(&Caller::Ui, Operation::Token), Decision::Allow);
    }
}
