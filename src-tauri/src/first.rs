//! Whoever binds the socket is the engine. Who comes second tells the first what it was started with, and ends.

use crate::{display, socket};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokenry_contract::profile;

/// Where this profile is.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) folder: PathBuf,
    pub(crate) socket: PathBuf,
}

/// What this process turned out to be.
pub(crate) enum Role {
    /// The engine goes here.
    Engine(Profile),
    /// Another app has a window; it was told everything.
    Told,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Profile(String),
    #[error("{0}")]
    Display(String),
    #[error("Tokenry is running but refused what it was told: {0}")]
    Refused(String),
    #[error("`tokenry serve` holds this profile and did not hand it over in time; stop it and start again")]
    NotHandedOver,
}

/// How long a windowless engine has to finish what is under way.
const HAND_OVER: Duration = Duration::from_secs(35);

/// Before this becomes the engine it needs a display: an engine without a window is not ended for one that cannot have
/// any. To tell another app takes none.
pub(crate) fn become_the_engine(link: Option<&str>) -> Result<Role, Error> {
    let profile = Profile {
        folder: profile::folder().map_err(|e| Error::Profile(e.to_string()))?,
        socket: profile::socket().map_err(|e| Error::Profile(e.to_string()))?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::Profile(format!("no event loop could be made ({e})")))?;
    runtime.block_on(async {
        let Some((socket, status)) = running(&profile).await else {
            display::connect().map_err(Error::Display)?;
            return Ok(Role::Engine(profile));
        };
        if status.body["window"] == Value::Bool(true) {
            let taken = match link {
                Some(link) => tell(&socket, "/v1/callback", Some(json!({"url": link}))).await,
                None => Ok(()),
            };
            // Where a link was of no use, the window says so.
            tell(&socket, "/v1/window/show", None).await?;
            return taken.map(|()| Role::Told);
        }
        display::connect().map_err(Error::Display)?;
        tell(&socket, "/v1/hand-over", None).await?;
        let gone = async {
            while socket::call(&socket, "GET", "/v1/status", None).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(HAND_OVER, gone)
            .await
            .map_err(|_| Error::NotHandedOver)?;
        Ok(Role::Engine(profile))
    })
}

/// The engine that runs, and where it listens: an environment that names another place finds it by the lock file.
async fn running(profile: &Profile) -> Option<(PathBuf, socket::Answer)> {
    let told = profile::holder(&profile.folder).and_then(|holder| holder.socket);
    for socket in [Some(profile.socket.clone()), told].into_iter().flatten() {
        if let Ok(status) = socket::call(&socket, "GET", "/v1/status", None).await {
            return Some((socket, status));
        }
    }
    None
}

async fn tell(socket: &Path, path: &str, body: Option<Value>) -> Result<(), Error> {
    let answer = socket::call(socket, "POST", path, body)
        .await
        .map_err(|e| Error::Refused(e.to_string()))?;
    if answer.status < 400 {
        return Ok(());
    }
    Err(Error::Refused(
        answer.body["error"]["message"]
            .as_str()
            .unwrap_or("no reason given")
            .to_owned(),
    ))
}
