//! Connects to the engine's socket, and checks that its listener is the same user.

use crate::failure::Failure;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokenry_contract::{ErrorCode, profile};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// A listener accepts a connection at once, unless its queue is full.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection to the engine: at the socket that the environment names, or else at the one that the profile's lock file
/// names. Returns `None` without a listener.
///
/// # Errors
/// When the listener is another user, or cannot be reached.
pub(crate) async fn connect() -> Result<Option<UnixStream>, Failure> {
    let own = profile::socket().map_err(no_profile)?;
    let here = connect_to(&own).await;
    if let Ok(Some(stream)) = here {
        return Ok(Some(stream));
    }
    let folder = profile::folder().map_err(no_profile)?;
    let named = profile::holder(&folder).and_then(|holder| holder.socket);
    if let Some(named) = named.filter(|named| *named != own)
        && let Ok(Some(stream)) = connect_to(&named).await
    {
        return Ok(Some(stream));
    }
    here
}

fn no_profile(error: profile::ProfileError) -> Failure {
    Failure::new(
        ErrorCode::ValidationError,
        error.to_string(),
        "Set TOKENRY_HOME and try again.",
    )
}

async fn connect_to(socket: &Path) -> Result<Option<UnixStream>, Failure> {
    let us = rustix::process::geteuid().as_raw();
    let Some(folder) = folder_of(socket, us)? else {
        return Ok(None);
    };
    let stream = match timeout(CONNECT_TIMEOUT, UnixStream::connect(socket)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Ok(Err(error)) => return Err(unreachable(socket, &error.to_string())),
        Err(_) => return Err(unreachable(socket, "timed out")),
    };
    let peer = stream
        .peer_cred()
        .map_err(|error| unreachable(socket, &error.to_string()))?;
    if peer.uid() != us {
        return Err(refused(&format!(
            "The listener in {} belongs to another user.",
            folder.display()
        )));
    }
    Ok(Some(stream))
}

/// The socket's folder, if it exists. A folder of another user, or one that others can write to, is an error.
fn folder_of(socket: &Path, us: u32) -> Result<Option<PathBuf>, Failure> {
    let folder = socket.parent().unwrap_or(socket);
    let Ok(meta) = folder.metadata() else {
        return Ok(None);
    };
    if meta.uid() != us || meta.mode() & 0o022 != 0 {
        return Err(refused(&format!(
            "The folder {} belongs to another user, or others can write to it.",
            folder.display()
        )));
    }
    Ok(Some(folder.to_owned()))
}

fn refused(message: &str) -> Failure {
    Failure::new(
        ErrorCode::PermissionDenied,
        message,
        "Nothing was sent. Set TOKENRY_HOME to a folder of your own.",
    )
}

fn unreachable(socket: &Path, why: &str) -> Failure {
    Failure::internal(format!(
        "Cannot connect to the engine at {}: {why}.",
        socket.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn only_a_listener_in_a_folder_of_the_same_user_is_connected_to() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        assert!(connect_to(&socket).await.unwrap().is_none());
        assert!(
            connect_to(&folder.path().join("no/engine.sock"))
                .await
                .unwrap()
                .is_none()
        );
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        assert!(connect_to(&socket).await.unwrap().is_some());
        let mode = |mode| std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
        mode(0o770);
        assert!(connect_to(&socket).await.is_err());
        mode(0o700);
        let us = rustix::process::geteuid().as_raw();
        assert!(folder_of(&socket, us + 1).is_err());
        drop(listener);
        assert!(connect_to(&socket).await.unwrap().is_none());
    }
}
