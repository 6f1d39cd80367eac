//! The clients of requests: one for each way to connect, made when it is first needed.

use crate::Error;
use crate::ca_file::{self, CaFile};
use crate::outbound::{PrivateOnly, PublicOnly, Reach};
use crate::proxy::Proxy;
use reqwest::{Client, redirect, retry};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many are kept. Each has a copy of the system's roots.
const MAX_CLIENTS: usize = 16;

/// Loading the machine's root certificates takes longer than starting the engine, so none is made before it is needed.
#[derive(Debug)]
pub(crate) struct Clients {
    connect: Duration,
    whole: Duration,
    kept: Mutex<Vec<(Way, Client)>>,
}

/// What makes one client another. The proxy of all that have one is the same.
#[derive(Debug, PartialEq, Eq)]
struct Way {
    is_proxied: bool,
    reach: Reach,
    /// The content of the provider's CA file: a file that has changed is another.
    ca: Option<Vec<u8>>,
}

impl Clients {
    /// Clients with these time-outs: for connecting (DNS and TLS included) and for a whole answer.
    pub(crate) fn new(connect: Duration, whole: Duration) -> Self {
        Self {
            connect,
            whole,
            kept: Mutex::default(),
        }
    }

    /// The client for one way to connect, which trusts the system's store and the CAs of this file.
    ///
    /// # Errors
    /// Where none can be made; what is wrong with the CA file, as a whole text.
    pub(crate) fn get(
        &self,
        proxy: Option<&Proxy>,
        reach: Reach,
        ca_file: Option<&str>,
    ) -> Result<Client, String> {
        let ca = ca_file
            .map(|path| CaFile::read(path).map_err(|wrong| ca_file::refused(path, &wrong)))
            .transpose()?;
        let way = Way {
            is_proxied: proxy.is_some(),
            reach,
            ca: ca.as_ref().map(|ca| ca.digest.clone()),
        };
        let find = |kept: &Vec<(Way, Client)>| {
            let found = kept.iter().find(|(own, _)| *own == way);
            found.map(|(_, client)| client.clone())
        };
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = find(&lock()) {
            return Ok(client);
        }
        let made = self.build(proxy, reach, ca).map_err(|error| match ca_file {
            Some(path) => ca_file::refused(path, ca_file::UNUSABLE),
            None => Error::Tls(crate::http::root_cause(&error)).to_string(),
        })?;
        let mut kept = lock();
        if let Some(client) = find(&kept) {
            return Ok(client);
        }
        if kept.len() >= MAX_CLIENTS {
            kept.remove(0);
        }
        kept.push((way, made.clone()));
        Ok(made)
    }

    fn build(
        &self,
        proxy: Option<&Proxy>,
        reach: Reach,
        ca: Option<CaFile>,
    ) -> Result<Client, reqwest::Error> {
        // `localhost` is this machine whatever a resolver says. Port 0 means: the port of the address.
        let loopback = [(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()];
        // Which requests go through a proxy is decided here and not by the library, which would look into the
        // environment.
        let builder = match proxy {
            None => Client::builder().no_proxy(),
            Some(Proxy { url, user, .. }) => {
                let proxy = reqwest::Proxy::https(url.clone())?;
                Client::builder().proxy(match user {
                    Some((name, password)) => proxy.basic_auth(name, password.expose()),
                    None => proxy,
                })
            }
        };
        let builder = match reach {
            Reach::Any => builder.resolve_to_addrs("localhost", &loopback),
            Reach::Public => builder.dns_resolver(Arc::new(PublicOnly)),
            Reach::Private => builder.dns_resolver(Arc::new(PrivateOnly)),
        };
        let builder = match ca {
            Some(ca) => builder.tls_certs_merge(ca.certificates),
            None => builder,
        };
        builder
            .user_agent(concat!("tokenry/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            // A pooled connection that died makes the client underneath send again. So none is kept.
            .pool_max_idle_per_host(0)
            .retry(retry::never())
            .connect_timeout(self.connect)
            .timeout(self.whole)
            .build()
    }
}
