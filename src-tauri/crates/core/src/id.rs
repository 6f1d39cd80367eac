//! The ids of all objects.

use crate::{Clock, Random};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id: UUID version 7, so ids sort by the time they were made (RFC 9562 §5.7).
            pub fn new(clock: &dyn Clock, random: &dyn Random) -> Self {
                let mut bytes = [0; 10];
                random.fill(&mut bytes);
                let millis = clock.now().as_millisecond().try_into().unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
            }

            /// The integer key of this id's row: its 62 random low bits. Integer keys read several times
            /// faster than text keys, and the store needs no table from one to the other.
            pub fn row(self) -> i64 {
                let (_, low) = self.0.as_u64_pair();
                (low & (u64::MAX >> 2)) as i64
            }

            /// The id as the contract writes it.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// The id of a provider.
    ProviderId
);
id!(
    /// The id of a connection (a credential of type `oauth2_refresh`).
    ConnectionId
);
id!(
    /// The id of one consent flow.
    FlowId
);
id!(
    /// The id of one line of the activity log.
    EventId
);
id!(
    /// The id of an app: its `client_id`.
    AppId
);
id!(
    /// The id of a grant.
    GrantId
);
id!(
    /// The id of a credential that was entered by hand.
    CredentialId
);
id!(
    /// The id of a question to the person.
    PromptId
);
id!(
    /// The id of a token or code that our own authorization server issued.
    IssuedId
);
id!(
    /// The id of one request to the API; it stands in the error envelope and in the log.
    RequestId
);
id!(
    /// The id of work that a caller follows: a backup, or a restore.
    JobId
);
id!(
    /// The id of a backup that was read, until it is restored.
    RestoreId
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OsRandom, SystemClock};

    #[test]
    fn ids_are_version_7_and_their_rows_are_never_negative() {
        for _ in 0..1000 {
            let id = ProviderId::new(&SystemClock, &OsRandom);
            assert_eq!(id.uuid().get_version_num(), 7);
            assert!(id.row() >= 0);
            assert_eq!(id.to_string().parse::<ProviderId>().unwrap(), id);
        }
    }
}
