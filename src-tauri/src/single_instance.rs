//! One instance per profile: a second start passes its deep link to the first one and ends.

use crate::{display, socket};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokenry_contract::profile;

/// The paths of the profile.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) folder: PathBuf,
    pub(crate) socket: PathBuf,
}

/// The role of this process.
pub(crate) enum Role {
    /// It becomes the engine of this profile.
    Engine(Profile),
    /// Another app with a window runs, and got the deep link.
    Second,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Profile(String),
    #[error("{0}")]
    Display(String),
    #[error("Tokenry is running but refused the request: {0}")]
    Refused(String),
    #[error("`tokenry serve` uses this profile and did not end in time; stop it and start Tokenry again")]
    NotHandedOver,
}

/// For an engine without a window to finish the requests under way.
const HAND_OVER_TIMEOUT: Duration = Duration::from_secs(35);

/// Determines the role of this process. Becoming the engine needs a display: an engine without a window is not ended for an app
/// that cannot show one. Passing a link to another app needs none.
pub(crate) fn decide_role(link: Option<&str>) -> Result<Role, Error> {
    let profile = Profile {
        folder: profile::folder().map_err(|e| Error::Profile(e.to_string()))?,
        socket: profile::socket().map_err(|e| Error::Profile(e.to_string()))?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::Profile(format!("could not start the event loop ({e})")))?;
    runtime.block_on(async {
        let Some((socket, status)) = running(&profile).await else {
            display::connect().map_err(Error::Display)?;
            return Ok(Role::Engine(profile));
        };
        if status.body["window"] == Value::Bool(true) {
            let passed = match link {
                Some(link) => post(&socket, "/v1/callback", Some(json!({"url": link}))).await,
                None => Ok(()),
            };
            // The window shows an error when the link was rejected.
            post(&socket, "/v1/window/show", None).await?;
            return passed.map(|()| Role::Second);
        }
        display::connect().map_err(Error::Display)?;
        post(&socket, "/v1/hand-over", None).await?;
        let gone = async {
            while socket::call(&socket, "GET", "/v1/status", None).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(HAND_OVER_TIMEOUT, gone)
            .await
            .map_err(|_| Error::NotHandedOver)?;
        Ok(Role::Engine(profile))
    })
}

/// The running engine and its socket. If the environment names another socket, the lock file names the right one.
async fn running(profile: &Profile) -> Option<(PathBuf, socket::Response)> {
    let locked = profile::holder(&profile.folder).and_then(|holder| holder.socket);
    for socket in [Some(profile.socket.clone()), locked].into_iter().flatten() {
        if let Ok(status) = socket::call(&socket, "GET", "/v1/status", None).await {
            return Some((socket, status));
        }
    }
    None
}

async fn post(socket: &Path, path: &str, body: Option<Value>) -> Result<(), Error> {
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
