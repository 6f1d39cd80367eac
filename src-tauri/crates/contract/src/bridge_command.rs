//! The commands that `tokenry` leaves to `tokenry-bridge`: for its help and its errors, and for the manual and the completions
//! of `tokenry`.

use std::fmt::Write;

/// A command of `tokenry-bridge`.
#[derive(Debug, Clone, Copy)]
pub struct BridgeCommand {
    /// The command, as in `tokenry mcp`.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// A paragraph.
    pub details: &'static str,
    /// The name and the meaning of the argument without a dash.
    pub argument: Option<(&'static str, &'static str)>,
    pub options: &'static [BridgeOption],
}

/// An option of a command. None has a short form.
#[derive(Debug, Clone, Copy)]
pub struct BridgeOption {
    /// Without the dashes.
    pub name: &'static str,
    /// What it is followed by.
    pub value: Option<&'static str>,
    /// All values that it takes, where it takes no others.
    pub values: &'static [&'static str],
    pub is_required: bool,
    pub help: &'static str,
}

const fn option(name: &'static str, value: &'static str, help: &'static str) -> BridgeOption {
    BridgeOption {
        name,
        value: Some(value),
        values: &[],
        is_required: false,
        help,
    }
}

const fn switch(name: &'static str, help: &'static str) -> BridgeOption {
    BridgeOption {
        name,
        value: None,
        values: &[],
        is_required: false,
        help,
    }
}

const APP_TOKEN_FILE: BridgeOption = option(
    "app-token-file",
    "FILE",
    "Act as the app whose token is in this file",
);

/// How messages reach an MCP server: the values of `--transport`.
pub const MCP_TRANSPORTS: [&str; 4] = ["http-first", "sse-first", "http-only", "sse-only"];

/// `tokenry mcp`.
pub const MCP: BridgeCommand = BridgeCommand {
    name: "mcp",
    about: "Connect a client of the Model Context Protocol (MCP) to a remote server, with a token of Tokenry",
    details: "MCP clients run this command. It passes messages between its standard streams and the server. If no connection \
              serves the address, you are asked to sign in. The options are those of mcp-remote, where they make sense.",
    argument: Some(("URL", "The address of the server")),
    options: &[
        option(
            "header",
            "NAME: VALUE",
            "Add a header to each request; may be repeated. ${NAME} in the value is the environment variable NAME. With an \
             Authorization header there is no sign-in",
        ),
        BridgeOption {
            values: &MCP_TRANSPORTS,
            ..option(
                "transport",
                "TRANSPORT",
                "Streamable HTTP or the older HTTP+SSE [default: http-first]",
            )
        },
        option(
            "resource",
            "URI",
            "The resource that tokens are for, instead of the one that the server names",
        ),
        option(
            "static-oauth-client-info",
            "INFO",
            "A client that is registered there: @FILE, a JSON file with client_id and client_secret, or the JSON itself \
             without a secret",
        ),
        option(
            "static-oauth-client-metadata",
            "DATA",
            "Metadata of the client, as @FILE or JSON: its scope is requested",
        ),
        option(
            "wait",
            "SECONDS",
            "Wait so long for you to answer or unlock, also without a window",
        ),
        switch(
            "allow-http",
            "Taken for mcp-remote: http goes to this machine only",
        ),
        APP_TOKEN_FILE,
    ],
};

/// `tokenry mcp-server`.
pub const MCP_SERVER: BridgeCommand = BridgeCommand {
    name: "mcp-server",
    about: "Be an MCP server, with which an agent uses your connections and never sees a token",
    details: "An MCP client runs this command and talks to it over the standard streams. Its tools list connections, send one \
              request to an address that a connection serves, and ask you to sign in again. You are asked about each token \
              that a request needs.",
    argument: None,
    options: &[APP_TOKEN_FILE],
};

/// `tokenry proxy`.
pub const PROXY: BridgeCommand = BridgeCommand {
    name: "proxy",
    about: "Serve an API on this machine, and add the token of a connection to each request",
    details: "It prints one line of JSON: the address to use, and a token of its own that callers send as `Authorization: \
              Bearer`. The proxy replaces it by the token of the connection, which callers never see. It runs until it is \
              interrupted.",
    argument: Some(("NAME", "A connection, or a provider with one connection")),
    options: &[
        BridgeOption {
            is_required: true,
            ..option(
                "to",
                "URL",
                "The API, which the connection must serve. Requests go nowhere else",
            )
        },
        option(
            "listen",
            "ADDRESS",
            "Where to listen on this machine [default: 127.0.0.1:0, which is any free port]",
        ),
        option(
            "token-file",
            "FILE",
            "Write the token for callers to this file, which only you can read, and do not print it",
        ),
        APP_TOKEN_FILE,
    ],
};

/// All of them.
pub const BRIDGE_COMMANDS: [BridgeCommand; 3] = [MCP, MCP_SERVER, PROXY];

impl BridgeCommand {
    /// What `--help` prints.
    pub fn help(&self) -> String {
        let shown = |option: &BridgeOption| match option.value {
            Some(value) => format!("--{} <{value}>", option.name),
            None => format!("--{}", option.name),
        };
        let argument = self.argument.map(|(name, _)| format!("<{name}>"));
        let required = self.options.iter().filter(|option| option.is_required).map(shown);
        let usage: Vec<_> = argument
            .into_iter()
            .chain(required)
            .chain(["[OPTIONS]".to_owned()])
            .collect();
        let mut text = format!(
            "{}\n\n{}\n\nUsage: tokenry {} {}\n",
            self.about,
            self.details,
            self.name,
            usage.join(" ")
        );
        if let Some((name, help)) = self.argument {
            let _ = write!(text, "\nArguments:\n  <{name}>  {help}\n");
        }
        text.push_str("\nOptions:\n");
        let width = self
            .options
            .iter()
            .map(|option| shown(option).len())
            .max()
            .unwrap_or(0);
        for option in self.options {
            let _ = write!(text, "      {:width$}  {}", shown(option), option.help);
            if !option.values.is_empty() {
                let _ = write!(text, " [possible values: {}]", option.values.join(", "));
            }
            text.push('\n');
        }
        let _ = writeln!(text, "  -h, --help{:1$}  Print help", "", width.saturating_sub(6));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_everything_in_one_column() {
        let help = PROXY.help();
        let column = |name: &str, text: &str| {
            let line = help.lines().find(|line| line.contains(name)).unwrap_or_default();
            line.find(text)
        };
        assert!(
            help.contains("Usage: tokenry proxy <NAME> --to <URL> [OPTIONS]"),
            "{help}"
        );
        assert_eq!(
            column("--to <URL>  ", "The API"),
            column("--help", "Print help"),
            "{help}"
        );
        assert!(MCP.help().contains("[possible values: http-first, sse-first,"));
    }
}
