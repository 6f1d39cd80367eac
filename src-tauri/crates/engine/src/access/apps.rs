//! Apps: who they are, and that they prove it.

use crate::{
    Engine, Error, OAuthError, OAuthErrorCode,
    access::{
        consent::{AccessRequest, Differences},
        grants::Given,
        policy::Operation,
    },
    records::sealed_store::SealedStore,
};
use tokenry_core::{
    App, AppCaller, AppId, Caller, EventKind, Grant, Name, Outcome, Peer, Random, Secret, is_loopback,
};
use url::Url;

/// By which a token of an app is known for what it is, to people and to programs that look for leaked secrets.
const PREFIX: &str = "tokenry_app_";
/// How many addresses an app may have its codes sent to.
const MAX_REDIRECT_URIS: usize = 10;

/// An app as it is shown.
#[derive(Debug, Clone)]
pub struct AppView {
    /// The record.
    pub app: App,
    /// What it may do; those that have ended are left out.
    pub grants: Vec<Grant>,
}

impl Engine {
    /// Registers an app. Its own token is given out this once; only a keyed hash of it is kept.
    ///
    /// # Errors
    /// When the user does not agree, the name is taken, or a redirect URI cannot be one.
    pub async fn register_app(
        &self,
        caller: &Caller,
        name: &str,
        redirect_uris: Vec<String>,
        public: bool,
    ) -> Result<(App, Option<Secret>), Error> {
        let name: Name = name
            .parse()
            .map_err(|wrong: tokenry_core::InvalidName| Error::field("name", wrong.to_string()))?;
        check_redirect_uris(&redirect_uris)?;
        let wanted = AccessRequest::new(Operation::WriteApps).note(format!(
            "It registers the app {name}, which can do nothing by itself."
        ));
        let mut differences = Differences::default();
        for uri in &redirect_uris {
            differences.decisive("redirect_uris", None, Some(uri.clone()));
        }
        let is_public = if public {
            "yes: it has no token of its own"
        } else {
            "no: it has a token of its own"
        };
        differences.text("app", None, Some(name.to_string()));
        differences.text("public", None, Some(is_public.to_owned()));
        let wanted = wanted.changing(differences);
        let check = async { name_is_free(&*self.store()?, &name) };
        self.check_before_asking(caller, &wanted, check).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        let store = self.store()?;
        let token = (!public).then(|| new_token(&*self.inner.random));
        let app = App {
            id: AppId::new(&*self.inner.clock, &*self.inner.random),
            name,
            redirect_uris,
            token_hash: token.as_ref().map(|token| store.vault().token_hash(token)),
            created_at: self.now(),
            last_used_at: None,
        };
        let event = self
            .event(caller, EventKind::AppAdded, Outcome::Done)
            .with_detail(app.name.as_str())
            .with_app(app.id)
            .by(rule);
        let kept = app.clone();
        self.commit(&store, move |transaction| {
            name_is_free(transaction.store, &kept.name)?;
            transaction.put(kept.id.row(), &kept)?;
            transaction.event(&event)
        })
        .await?;
        Ok((app, token))
    }

    /// All apps with what they may do, by name.
    ///
    /// # Errors
    /// When the caller may not; while locked.
    pub async fn apps(&self, caller: &Caller) -> Result<Vec<AppView>, Error> {
        self.allow(caller, Operation::ReadApps)?;
        let (store, now) = (self.store()?, self.latest());
        let index = store.index();
        let mut views: Vec<_> = index
            .apps()
            .map(|app| AppView {
                app: app.clone(),
                grants: index
                    .grants_of(app.id)
                    .filter(|grant| grant.is_alive(now))
                    .cloned()
                    .collect(),
            })
            .collect();
        views.sort_by(|a, b| a.app.name.cmp(&b.app.name));
        Ok(views)
    }

    /// Removes an app with all that it may do. What it was given is good for nothing from now on.
    ///
    /// # Errors
    /// When the user does not agree, or there is no such app.
    pub async fn remove_app(&self, caller: &Caller, reference: &str) -> Result<(), Error> {
        self.not_denied(caller, &AccessRequest::new(Operation::DeleteApp))?;
        let store = self.store()?;
        let app = crate::access::resolve::app(&store.index(), reference)?.clone();
        let mut differences = Differences::default();
        for grant in store.index().grants_of(app.id) {
            crate::access::grants::differences(&store.index(), grant, Given::Taken, &mut differences);
        }
        let wanted = AccessRequest::new(Operation::DeleteApp)
            .note(format!("It removes the app {}.", app.name))
            .changing(differences);
        let rule = self.permit(caller, wanted).await?.rule;
        let event = self
            .event(caller, EventKind::AppRemoved, Outcome::Done)
            .with_detail(app.name.as_str())
            .with_app(app.id)
            .by(rule);
        self.commit(&store, move |transaction| {
            let grants: Vec<_> = transaction
                .store
                .index()
                .grants_of(app.id)
                .map(|grant| grant.id)
                .collect();
            grants
                .into_iter()
                .try_for_each(|grant| transaction.delete_grant(grant))?;
            transaction.delete_app(app.id)?;
            transaction.event(&event)
        })
        .await?;
        // A copy of the profile from before must not bring its grants back.
        self.raise_floor();
        Ok(())
    }

    /// Who it is that sends this token in its `Authorization` header: an app with its own, or with one that our
    /// authorization server issued.
    ///
    /// # Errors
    /// When it is unknown; and while locked, unless the app has a grant that holds then.
    pub async fn authenticate(&self, bearer: &Secret, peer: Option<Peer>) -> Result<Caller, Error> {
        let store = match self.store() {
            Ok(store) => store,
            Err(error) => {
                let app = self.inner.kept.app_of(bearer).ok_or(error)?;
                return Ok(Caller::App(with_its_own_token(app, peer)));
            }
        };
        let hash = store.vault().token_hash(bearer);
        let found = store
            .index()
            .apps()
            .find(|app| {
                app.token_hash
                    .is_some_and(|own| tokenry_core::same_bytes(&own, &hash))
            })
            .map(|app| app.id);
        match found {
            Some(app) => Ok(Caller::App(with_its_own_token(app, peer))),
            None if let Some(caller) = self.caller_of_issued(bearer, peer.clone()).await? => Ok(caller),
            None => {
                let caller = Caller::Program(peer.unwrap_or_else(tokenry_peer::unknown));
                self.note_app_refused(&caller, "an unknown bearer token");
                Err(Error::Unauthorized(
                    "unknown bearer token: revoked, expired or mistyped; \
                 register the app again in the window, under Apps",
                ))
            }
        }
    }

    /// A token or secret of an app was wrong. What it was is not said.
    fn note_app_refused(&self, caller: &Caller, what: &str) {
        let (kind, outcome) = (EventKind::AppRefused, Outcome::Refused);
        let event = self.event(caller, kind, outcome).with_detail(what);
        self.inner.activity.push(event);
    }

    /// The same for what our token endpoint refused: a wrong secret, or a code or token that it does not know.
    pub fn note_oauth_refused(&self, caller: &Caller, error: &OAuthError) {
        if matches!(
            error.code,
            OAuthErrorCode::InvalidClient | OAuthErrorCode::InvalidGrant
        ) {
            self.note_app_refused(caller, &error.description);
        }
    }
}

fn with_its_own_token(app: AppId, peer: Option<Peer>) -> AppCaller {
    AppCaller {
        app,
        grant: None,
        scopes: None,
        token: None,
        peer,
    }
}

/// 256 random bits.
pub(super) fn new_token(random: &dyn Random) -> Secret {
    Secret::new(format!("{PREFIX}{}", tokenry_oauth::fresh(random).expose()))
}

fn name_is_free(store: &SealedStore, name: &Name) -> Result<(), Error> {
    let is_taken = store.index().apps().any(|other| other.name == *name);
    let taken = || Error::field("name", "is already used by another app; choose another name");
    (!is_taken).then_some(()).ok_or_else(taken)
}

fn check_redirect_uris(uris: &[String]) -> Result<(), Error> {
    if uris.len() > MAX_REDIRECT_URIS {
        return Err(Error::field(
            "redirect_uris",
            format!("may be {MAX_REDIRECT_URIS} at most"),
        ));
    }
    match uris.iter().find(|uri| !is_redirect_uri(uri)) {
        None => Ok(()),
        Some(bad) => Err(Error::field(
            "redirect_uris",
            format!(
                "must be https addresses, http addresses on 127.0.0.1 or [::1], or schemes of the app's own like \
                 com.example.app:/cb, without a fragment; {} is not",
                tokenry_core::clean(bad)
            ),
        )),
    }
}

/// RFC 8252 §7: claimed https, loopback literals, and private-use schemes that are a reverse domain name.
fn is_redirect_uri(text: &str) -> bool {
    let plain = text.len() <= 2000 && text.bytes().all(|byte| matches!(byte, 0x21..=0x7e));
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let clean = plain && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    clean
        && match url.scheme() {
            "https" => url.host().is_some(),
            "http" => is_loopback(&url),
            scheme => scheme.contains('.'),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8252 §7, checklist A13.1.
    #[test]
    fn only_places_that_belong_to_one_program_are_redirect_uris() {
        for good in [
            "https://app.example/cb",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:8080/cb?x=1",
            "http://[::1]:9/",
            "http://localhost:3000/cb",
            "com.example.app:/cb",
        ] {
            assert!(is_redirect_uri(good), "{good}");
        }
        for bad in [
            "",
            "http://app.example/cb",
            "http://127.0.0.1.example/cb",
            "https://app.example/cb#x",
            "https://user@app.example/cb",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "myapp:/cb",
            "https://app.example/a b",
            "https://app.example/\u{202e}",
            "not an address",
        ] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
    }
}
