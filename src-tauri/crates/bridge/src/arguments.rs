//! The command line of `tokenry-bridge`: that of `tokenry mcp` and `tokenry proxy`.

use crate::failure::Failure;
use crate::mcp::{self, arguments::McpArguments};
use lexopt::{Arg, Error, Parser, ValueExt};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokenry_contract::{BridgeCommand, MCP_SERVER, PROXY, closest};
use url::Url;

const HELP: &str = "\
Local proxies that add tokens of Tokenry to requests. `tokenry` runs this program.

Usage: tokenry mcp URL [OPTIONS]
       tokenry mcp-server [OPTIONS]
       tokenry proxy NAME --to URL [OPTIONS]
";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Print this text.
    Print(String),
    /// Exchange the token on standard input at STS.
    AssumeRole,
    Mcp(Box<McpArguments>),
    Proxy(ProxyArguments),
    McpServer(McpServerArguments),
}

/// `tokenry mcp-server`.
#[derive(Debug, PartialEq)]
pub(crate) struct McpServerArguments {
    pub(crate) app_token_file: Option<PathBuf>,
}

/// `tokenry proxy`.
#[derive(Debug, PartialEq)]
pub(crate) struct ProxyArguments {
    pub(crate) name: String,
    pub(crate) to: Url,
    pub(crate) listen: SocketAddr,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) app_token_file: Option<PathBuf>,
}

/// Reads the arguments, without the program's name. An error quotes no argument, since a secret may be in the wrong
/// position.
pub(crate) fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Command, Failure> {
    let command = arguments.next().unwrap_or_default();
    match command.to_str() {
        Some("assume-role") => Ok(Command::AssumeRole),
        Some("mcp-server") => mcp_server(Parser::from_args(arguments)),
        Some("mcp") => mcp::arguments::parse(Parser::from_args(arguments), &|name| std::env::var(name).ok()),
        Some("proxy") => proxy(Parser::from_args(arguments)),
        Some("-V" | "--version") => {
            let version = concat!("tokenry-bridge ", env!("CARGO_PKG_VERSION"), "\n");
            Ok(Command::Print(version.to_owned()))
        }
        Some("-h" | "--help") => Ok(Command::Print(HELP.to_owned())),
        _ => Err(Failure::usage("unknown command; see --help")),
    }
}

fn proxy(mut parser: Parser) -> Result<Command, Failure> {
    let mut name = None;
    let mut to = None;
    let mut listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let (mut token_file, mut app_token_file) = (None, None);
    while let Some(argument) = parser.next().map_err(invalid)? {
        match argument {
            Arg::Long("to") => to = Some(api(&text(&mut parser)?)?),
            Arg::Long("listen") => listen = listening(&text(&mut parser)?)?,
            Arg::Long("token-file") => token_file = Some(parser.value().map_err(invalid)?.into()),
            Arg::Long("app-token-file") => app_token_file = Some(parser.value().map_err(invalid)?.into()),
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(PROXY.help())),
            Arg::Value(value) if name.is_none() => name = Some(value.string().map_err(invalid)?),
            other => return Err(unexpected(&other, &PROXY)),
        }
    }
    Ok(Command::Proxy(ProxyArguments {
        name: name.ok_or_else(|| Failure::usage("name a connection; see --help"))?,
        to: to.ok_or_else(|| Failure::usage("--to is missing; see --help"))?,
        listen,
        token_file,
        app_token_file,
    }))
}

fn mcp_server(mut parser: Parser) -> Result<Command, Failure> {
    let mut app_token_file = None;
    while let Some(argument) = parser.next().map_err(invalid)? {
        match argument {
            Arg::Long("app-token-file") => app_token_file = Some(parser.value().map_err(invalid)?.into()),
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(MCP_SERVER.help())),
            other => return Err(unexpected(&other, &MCP_SERVER)),
        }
    }
    Ok(Command::McpServer(McpServerArguments { app_token_file }))
}

fn api(text: &str) -> Result<Url, Failure> {
    let url = crate::upstream::address(text)?;
    match url.query() {
        None => Ok(url),
        Some(_) => Err(Failure::usage("the address of --to must not have a query")),
    }
}

fn listening(text: &str) -> Result<SocketAddr, Failure> {
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    let address: SocketAddr = text
        .parse()
        .map_err(|_| Failure::usage("--listen must be an address with a port, like 127.0.0.1:0"))?;
    let is_local = match address.ip() {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback(),
    };
    match is_local {
        true => Ok(address),
        false => Err(Failure::usage(
            "--listen must be an address of this machine alone, like 127.0.0.1:0",
        )),
    }
}

pub(crate) fn text(parser: &mut Parser) -> Result<String, Failure> {
    parser.value().and_then(ValueExt::string).map_err(invalid)
}

/// The errors of lexopt, without the values that they quote.
pub(crate) fn invalid(error: Error) -> Failure {
    match error {
        Error::MissingValue { option: Some(option) } => Failure::usage(format!("{option} needs a value")),
        Error::UnexpectedValue { .. } => Failure::usage("an option that takes no value has one; see --help"),
        Error::NonUnicodeValue(_) => Failure::usage("an argument is not UTF-8"),
        _ => Failure::usage("invalid arguments; see --help"),
    }
}

pub(crate) fn unexpected(argument: &Arg<'_>, command: &BridgeCommand) -> Failure {
    let Arg::Long(typed) = argument else {
        return Failure::usage("unexpected argument; see --help");
    };
    let options = command.options.iter().map(|option| option.name);
    match closest(typed, options.chain(["help"])).first() {
        Some(option) => Failure::usage(format!("unknown option; did you mean --{option}? See --help")),
        None => Failure::usage("unknown option; see --help"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenry_contract::BRIDGE_COMMANDS;

    fn parsed(line: &str) -> Result<Command, Failure> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn a_proxy_listens_on_this_machine_and_has_one_api() {
        let read =
            parsed("proxy work --to=https://api.example.com/v1 --listen [::1]:8080 --token-file t").unwrap();
        assert_eq!(
            read,
            Command::Proxy(ProxyArguments {
                name: "work".to_owned(),
                to: "https://api.example.com/v1".parse().unwrap(),
                listen: "[::1]:8080".parse().unwrap(),
                token_file: Some("t".into()),
                app_token_file: None,
            })
        );
        for line in [
            "proxy work",
            "proxy --to https://a.example",
            "proxy work --to https://a.example --listen 0.0.0.0:80",
            "proxy work --to https://a.example --listen 192.168.0.1:80",
            "proxy work --to https://a.example --listen 127.0.0.1",
            "proxy work --to https://a.example --listen c4n4ry",
            "proxy work --to http://a.example",
            "proxy work --to https://a.example/?c4n4ry",
            "proxy work --to https://me:c4n4ry@a.example",
            "proxy work c4n4ry --to https://a.example",
            "proxy work --to https://a.example --c4n4ry",
            "proxy work --to https://a.example --token-fil c4n4ry",
            "c4n4ry",
            "",
        ] {
            let failure = parsed(line).unwrap_err();
            assert!(!failure.to_string().contains("c4n4ry"), "{line}: {failure}");
        }
    }

    #[test]
    fn every_option_of_the_help_is_read() {
        for command in BRIDGE_COMMANDS {
            for option in command.options {
                let line = format!("{} --{}", command.name, option.name);
                let read = parsed(&line).map_err(|failure| failure.to_string());
                let is_unknown = read.is_err_and(|failure| failure.contains("unknown"));
                assert!(!is_unknown, "{line}");
            }
        }
    }
}
