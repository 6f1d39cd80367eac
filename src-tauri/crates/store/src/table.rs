//! The tables of sealed records.

/// A noun that has rows. All of these tables have the same columns.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Table {
    /// Authorization servers and our registrations at them.
    Providers,
    /// Accounts at providers, without their tokens.
    Connections,
    /// The tokens of connections, under the connection's id.
    Tokens,
    /// Consent flows that are open or were lately.
    Flows,
    /// Refreshes that were sent, and what became of them.
    Journal,
    /// Other programs that ask for tokens.
    Apps,
    /// What apps may do.
    Grants,
    /// Secrets that were entered by hand.
    Credentials,
    /// What our own authorization server issued: keyed hashes, never a token.
    Issued,
    /// The person's choices; one row.
    Settings,
}

impl Table {
    /// Every table, in the order of the schema.
    pub const ALL: [Self; 10] = [
        Self::Providers,
        Self::Connections,
        Self::Tokens,
        Self::Flows,
        Self::Journal,
        Self::Apps,
        Self::Grants,
        Self::Credentials,
        Self::Issued,
        Self::Settings,
    ];

    /// How many of them, from the first on, format 1 of the file had.
    pub(crate) const IN_FORMAT_1: usize = 5;

    /// Its name in the file, which never changes: it is part of what a record is sealed with.
    pub const fn name(self) -> &'static str {
        self.sql().name
    }

    pub(crate) const fn sql(self) -> &'static Sql {
        match self {
            Self::Providers => &PROVIDERS,
            Self::Connections => &CONNECTIONS,
            Self::Tokens => &TOKENS,
            Self::Flows => &FLOWS,
            Self::Journal => &JOURNAL,
            Self::Apps => &APPS,
            Self::Grants => &GRANTS,
            Self::Credentials => &CREDENTIALS,
            Self::Issued => &ISSUED,
            Self::Settings => &SETTINGS,
        }
    }
}

/// The statements of one table. Constants, so that the statement cache is looked up without building a text.
pub(crate) struct Sql {
    name: &'static str,
    pub(crate) create: &'static str,
    pub(crate) get: &'static str,
    pub(crate) find: &'static str,
    pub(crate) scan: &'static str,
    pub(crate) versions: &'static str,
    pub(crate) insert: &'static str,
    pub(crate) update: &'static str,
    pub(crate) delete: &'static str,
}

// `sealed` is the last column: what is read without it (`versions`) then never walks its overflow pages.
macro_rules! sql {
    ($name:literal) => {
        Sql {
            name: $name,
            create: concat!(
                "CREATE TABLE ",
                $name,
                " (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, updated_at INTEGER NOT NULL,",
                " lookup BLOB UNIQUE CHECK (length(lookup) = 16), sealed BLOB NOT NULL) STRICT"
            ),
            get: concat!("SELECT version, sealed FROM ", $name, " WHERE id = ?1"),
            find: concat!(
                "SELECT id, version, lookup, sealed FROM ",
                $name,
                " WHERE lookup = ?1"
            ),
            scan: concat!("SELECT id, version, sealed FROM ", $name, " ORDER BY id"),
            versions: concat!("SELECT id, version FROM ", $name, " ORDER BY id"),
            insert: concat!(
                "INSERT INTO ",
                $name,
                " (id, version, updated_at, lookup, sealed) VALUES (?1, ?2, ?3, ?4, ?5)"
            ),
            update: concat!(
                "UPDATE ",
                $name,
                " SET version = ?3, updated_at = ?4, lookup = ?5, sealed = ?6 WHERE id = ?1 AND version = ?2"
            ),
            delete: concat!("DELETE FROM ", $name, " WHERE id = ?1 AND version = ?2"),
        }
    };
}

static PROVIDERS: Sql = sql!("providers");
static CONNECTIONS: Sql = sql!("connections");
static TOKENS: Sql = sql!("tokens");
static FLOWS: Sql = sql!("flows");
static JOURNAL: Sql = sql!("journal");
static APPS: Sql = sql!("apps");
static GRANTS: Sql = sql!("grants");
static CREDENTIALS: Sql = sql!("credentials");
static ISSUED: Sql = sql!("issued");
static SETTINGS: Sql = sql!("settings");
