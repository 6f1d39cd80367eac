//! `tokenry list` and `tokenry provider list`.

use super::show::{self, status_cell};
use crate::engine::Engine;
use crate::failure::Failure;
use crate::output::{Output, Style};
use crate::table::{Cell, table};
use crate::time::relative;
use jiff::Timestamp;
use tokenry_contract::{Connection, OAuthProvider};

pub(crate) fn connections(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let connections: Vec<Connection> = engine.get(&["v1", "connections"])?;
    if connections.is_empty() {
        output.say(
            "There are no connections. `tokenry connect PROVIDER` adds one; `tokenry provider list` lists the \
             providers.",
        );
    }
    output.data(&connections, |style| {
        connection_table(&connections, Timestamp::now(), style)
    })?;
    show::notices(&connections, output);
    Ok(())
}

fn connection_table(connections: &[Connection], now: Timestamp, style: Style) -> String {
    if connections.is_empty() {
        return String::new();
    }
    let row = |connection: &Connection| -> Vec<Cell> {
        let when = |at: Option<Timestamp>| at.map_or("–".into(), |at| Cell::from(relative(at, now)));
        vec![
            Cell::from(&connection.name),
            status_cell(connection),
            Cell::from(
                connection
                    .account
                    .as_ref()
                    .map_or("–", |account| &account.display_name),
            ),
            when(connection.expires_at),
            when(connection.last_refreshed_at),
            when(connection.last_used_at),
        ]
    };
    let headings = ["NAME", "STATUS", "ACCOUNT", "EXPIRES", "REFRESHED", "USED"];
    table(&headings, connections.iter().map(row).collect(), style)
}

pub(crate) fn providers(engine: &Engine, output: &Output) -> Result<(), Failure> {
    let providers: Vec<OAuthProvider> = engine.get(&["v1", "oauth-providers"])?;
    if providers.is_empty() {
        output.say("There are no providers. `tokenry provider add` adds one.");
    }
    output.data(&providers, |style| provider_table(&providers, style))
}

fn provider_table(providers: &[OAuthProvider], style: Style) -> String {
    if providers.is_empty() {
        return String::new();
    }
    let row = |provider: &OAuthProvider| -> Vec<Cell> {
        vec![
            Cell::from(&provider.name),
            Cell::from(show::words(&provider.settings.grant_type)),
            Cell::from(show::words(&provider.settings.redirect)),
            Cell::from(&provider.settings.client_id),
            Cell::from(
                provider
                    .settings
                    .token_endpoint
                    .as_deref()
                    .map_or("–", show::host),
            ),
        ]
    };
    table(
        &["NAME", "GRANT", "REDIRECT", "CLIENT ID", "HOST"],
        providers.iter().map(row).collect(),
        style,
    )
}

#[cfg(test)]
mod tests {
    use super::super::show::tests::connection;
    use super::*;

    #[test]
    fn connections_are_listed_in_columns_with_times_as_a_person_says_them() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut second = connection();
        second.name = "github/work".into();
        (second.account, second.expires_at, second.last_used_at) = (None, None, None);
        let text = connection_table(&[connection(), second], now, Style { colour: false });
        let expected = "\
NAME         STATUS  ACCOUNT            EXPIRES    REFRESHED  USED
github       active  alice@example.com  in 52 min  8 min ago  30 s ago
github/work  active  –                  –          8 min ago  –
";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_empty_list_has_no_heading() {
        let style = Style { colour: false };
        assert_eq!(connection_table(&[], Timestamp::UNIX_EPOCH, style), "");
        assert_eq!(provider_table(&[], style), "");
    }
}
