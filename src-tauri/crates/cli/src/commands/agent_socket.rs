//! `tokenry oidc-agent` and `tokenry pizauth-socket`: a socket for the clients of another agent, and the lines that tell a shell where it is.

use crate::engine::{self, Engine};
use crate::failure::Failure;
use crate::find;
use crate::http::Method;
use crate::output::{Output, write_out};
use crate::socket_args::{AgentSocketArgs, Shell};
use tokenry_contract::{AgentProtocol, AgentSocket, OIDC_AGENT_SOCKET, Success};

/// Opens the socket, or closes it. `variable` names it to clients that do not know its place.
pub(crate) fn run(
    protocol: AgentProtocol,
    variable: Option<&str>,
    args: &AgentSocketArgs,
    engine: impl FnOnce() -> Result<Engine, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let path = ["v1", "agent-sockets", protocol.slug()];
    if args.if_running && is_absent()? {
        return absent(variable, args, output);
    }
    if !args.stop {
        let opened: AgentSocket = engine()?.send(Method::Put, &path)?;
        if output.is_json() {
            return output.data(&opened, |_| String::new());
        }
        return match variable {
            Some(variable) => write_out(set(variable, &opened.path, args.shell).as_bytes()),
            None => output.done(&opened, &format!("The socket is open: {}", opened.path)),
        };
    }
    let success = if is_absent()? {
        // No engine, no socket.
        Success { success: true }
    } else {
        engine()?.send(Method::Delete, &path)?
    };
    if output.is_json() {
        return output.data(&success, |_| String::new());
    }
    match variable {
        Some(variable) => write_out(unset(variable, args.shell).as_bytes()),
        None => output.done(&success, "The socket is closed."),
    }
}

fn is_absent() -> Result<bool, Failure> {
    Ok(find::engine(&engine::socket()?)?.is_none())
}

/// Names the place at which an engine that starts later opens the socket, if Settings say so.
fn absent(variable: Option<&str>, args: &AgentSocketArgs, output: &Output) -> Result<(), Failure> {
    let engine = engine::socket()?;
    match variable.filter(|_| !output.is_json()) {
        Some(variable) => {
            let path = engine.with_file_name(OIDC_AGENT_SOCKET);
            write_out(set(variable, &path.to_string_lossy(), args.shell).as_bytes())
        }
        None => Err(find::absent(&engine)),
    }
}

fn set(variable: &str, path: &str, shell: Shell) -> String {
    let path = quoted(path, shell);
    match shell {
        Shell::Sh => format!("{variable}={path}; export {variable};\n"),
        Shell::Csh => format!("setenv {variable} {path};\n"),
        Shell::Fish => format!("set -gx {variable} {path};\n"),
    }
}

fn unset(variable: &str, shell: Shell) -> String {
    match shell {
        Shell::Sh => format!("unset {variable};\n"),
        Shell::Csh => format!("unsetenv {variable};\n"),
        Shell::Fish => format!("set -e {variable};\n"),
    }
}

/// One word of a shell.
fn quoted(text: &str, shell: Shell) -> String {
    let text = match shell {
        Shell::Sh => text.replace('\'', r"'\''"),
        // An exclamation mark means an earlier command there, also between quotes.
        Shell::Csh => text.replace('\'', r"'\''").replace('!', r"\!"),
        Shell::Fish => text.replace('\\', r"\\").replace('\'', r"\'"),
    };
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_are_those_of_the_shell_and_hold_any_path() {
        let path = "/tmp/it's $HOME\\`x`!;";
        for (shell, line) in [
            (Shell::Sh, "A='/tmp/it'\\''s $HOME\\`x`!;'; export A;\n"),
            (Shell::Csh, "setenv A '/tmp/it'\\''s $HOME\\`x`\\!;';\n"),
            (Shell::Fish, "set -gx A '/tmp/it\\'s $HOME\\\\`x`!;';\n"),
        ] {
            assert_eq!(set("A", path, shell), line);
        }
        assert_eq!(unset("A", Shell::Sh), "unset A;\n");
    }
}
