use std::{io, path::PathBuf};
use tokenry_core::Code;

/// Why a door cannot be opened. Whatever is at the path stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another engine listens there.
    #[error(
        "another Tokenry engine{} holds {}; use that one, or end it first",
        pid.map(|pid| format!(" (process {pid})")).unwrap_or_default(),
        path.display()
    )]
    InUse {
        /// The socket.
        path: PathBuf,
        /// Its process, when the system says.
        pid: Option<u32>,
    },
    /// The operating system takes no socket path of this length.
    #[error(
        "the path of the socket has {} bytes and may have {max}: {}; set TOKENRY_HOME to a folder with a shorter path",
        path.as_os_str().len(), path.display(), max = tokenry_contract::profile::SOCKET_PATH_MAX
    )]
    PathTooLong {
        /// The socket.
        path: PathBuf,
    },
    /// Something else is where the socket belongs.
    #[error("{} is {what}, which Tokenry does not touch; move it away, or set TOKENRY_HOME to another folder", path.display())]
    NotOurs {
        /// The socket.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// Others could get at the socket.
    #[error("the folder {} {what}; give it to you alone (chmod 700), or set TOKENRY_HOME to another folder", path.display())]
    OpenFolder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// No port for those who speak TCP only.
    #[error("no port of 127.0.0.1 can be opened ({source}); end a program that holds one, and try again")]
    Port {
        /// What the system said.
        source: io::Error,
    },
    /// The operating system said no.
    #[error("{} cannot be made: {source}; look at its folder, or set TOKENRY_HOME to another one", path.display())]
    Io {
        /// The socket, its folder, or the file that tells of the port.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl Error {
    /// The code of the contract.
    pub fn code(&self) -> Code {
        match self {
            Self::InUse { .. } | Self::NotOurs { .. } => Code::Conflict,
            Self::PathTooLong { .. } | Self::OpenFolder { .. } => Code::ValidationError,
            Self::Port { .. } | Self::Io { .. } => Code::Internal,
        }
    }
}
