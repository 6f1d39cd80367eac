//! Changing a connection: its label, whether it is paused, and the addresses that are bound to it.

use super::seen;
use crate::{
    ConnectionView, Engine, Error,
    access::{
        consent::{AccessRequest, Differences},
        policy::Operation,
        resolve,
    },
};
use std::collections::BTreeSet;
use tokenry_core::{Caller, Connection, ConnectionStatus, EventKind, Outcome, ServedAddress};

/// No connection has more addresses of its own.
const MAX_BINDINGS: usize = 100;

/// What of a connection a person may change.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// `Some(None)` takes the label away.
    pub label: Option<Option<String>>,
    /// Whether it is left alone.
    pub paused: Option<bool>,
    /// All addresses that are bound to it.
    pub bindings: Option<Vec<String>>,
}

impl Engine {
    /// Changes a label or the bound addresses, pauses or resumes.
    ///
    /// # Errors
    /// When there is none, the label is taken, or an address is bound to another connection.
    pub async fn change_connection(
        &self,
        caller: &Caller,
        reference: &str,
        mut change: ConnectionChange,
    ) -> Result<ConnectionView, Error> {
        let store = self.store()?;
        if let Some(bindings) = &mut change.bindings {
            *bindings = read_bindings(bindings)?;
        }
        let before = self.connection_meant(caller, Operation::WriteConnection, reference)?;
        let wanted = seen(&before);
        let wanted = AccessRequest {
            operation: Operation::WriteConnection,
            differences: differences(&before, &change),
            ..wanted
        };
        let is_a_name =
            change.paused.is_none() && change.bindings.is_none() && matches!(change.label, Some(Some(_)));
        let wanted = wanted.by_its_starter(is_a_name && self.names_its_own(caller, &before));
        let check = async { self.new_label(&before, &change).map(drop) };
        self.check_before_asking(caller, &wanted, check).await?;
        let rule = self.permit(caller, wanted).await?.rule;
        let asked_about = before;
        let before =
            self.connection_meant(caller, Operation::WriteConnection, &asked_about.id.to_string())?;
        if differences(&before, &change) != differences(&asked_about, &change) {
            return Err(Error::Conflict(
                "the connection was changed meanwhile; look at it and try again".to_owned(),
            ));
        }
        let label = self.new_label(&before, &change)?;
        let (id, now) = (before.id, self.now());
        let event = changed(&before, label.as_ref(), &change).map(|detail| {
            let (kind, outcome) = (EventKind::ConnectionChanged, Outcome::Done);
            self.event(caller, kind, outcome)
                .about(&before)
                .with_detail(&detail)
                .by(rule)
        });
        self.commit(&store, move |transaction| {
            let mut connection = transaction
                .get::<Connection>(id.row())?
                .ok_or_else(|| Error::not_found("connection", &id.to_string(), "it was disconnected"))?;
            if let Some(label) = label {
                connection.label = label;
            }
            if let Some(paused) = change.paused {
                connection.status = if paused {
                    ConnectionStatus::Paused
                } else {
                    ConnectionStatus::Active
                };
            }
            if let Some(bindings) = change.bindings {
                connection.bindings = bindings;
            }
            connection.updated_at = now;
            transaction.put(id.row(), &connection)?;
            event.iter().try_for_each(|event| transaction.event(event))
        })
        .await?;
        self.inner.due.notify_one();
        self.view(id)
    }

    /// The label that a change gives, if it gives one and the connection can be changed so.
    fn new_label(
        &self,
        connection: &Connection,
        change: &ConnectionChange,
    ) -> Result<Option<Option<String>>, Error> {
        if connection.status == ConnectionStatus::Disconnecting {
            return Err(resolve::gone(&connection.id.to_string()));
        }
        let can_pause = matches!(
            connection.status,
            ConnectionStatus::Active | ConnectionStatus::Paused
        );
        if change.paused.is_some() && !can_pause {
            return Err(Error::Conflict(
                "only a connection that is active can be paused".to_owned(),
            ));
        }
        for address in change.bindings.iter().flatten() {
            self.is_free(connection, address)?;
        }
        match &change.label {
            Some(Some(label)) => {
                let provider = self.provider_by_id(connection.provider)?;
                self.free_label(&provider, Some(label.clone()), Some(connection))
                    .map(Some)
            }
            other => Ok(other.clone()),
        }
    }

    /// Whether no other connection has this address: then each has one answer.
    fn is_free(&self, connection: &Connection, address: &String) -> Result<(), Error> {
        let store = self.store()?;
        let index = store.index();
        let others = index.connections().filter(|other| other.id != connection.id);
        match others.into_iter().find(|other| other.bindings.contains(address)) {
            None => Ok(()),
            Some(other) => {
                let name = index.name_of(other);
                Err(Error::Conflict(format!(
                    "{address} is bound to {name}; run `tokenry bind {address} --remove` first"
                )))
            }
        }
    }
}

/// The addresses as they are kept, each once, in order.
fn read_bindings(given: &[String]) -> Result<Vec<String>, Error> {
    if given.len() > MAX_BINDINGS {
        return Err(Error::field("bindings", "must be at most 100 addresses"));
    }
    let read = |text: &String| {
        ServedAddress::read(text)
            .map(|address| address.to_string())
            .map_err(|wrong| Error::field("bindings", &wrong))
    };
    let addresses: BTreeSet<_> = given.iter().map(read).collect::<Result<_, _>>()?;
    Ok(addresses.into_iter().collect())
}

/// What a change of a connection changes.
fn differences(before: &Connection, change: &ConnectionChange) -> Differences {
    let mut differences = Differences::default();
    if let Some(label) = &change.label {
        let label = label.as_ref().map(|label| label.trim().to_owned());
        let label = label.filter(|label| !label.is_empty());
        differences.text("label", before.label.clone(), label);
    }
    if let Some(paused) = change.paused {
        let is_paused = before.status == ConnectionStatus::Paused;
        differences.text("paused", Some(is_paused.to_string()), Some(paused.to_string()));
    }
    if let Some(bindings) = &change.bindings {
        let shown = |bindings: &[String]| Some(bindings.join(", ")).filter(|text| !text.is_empty());
        differences.decisive("bindings", shown(&before.bindings), shown(bindings));
    }
    differences
}

/// What a change changes, for the log. `None` when it is as it was.
fn changed(before: &Connection, label: Option<&Option<String>>, change: &ConnectionChange) -> Option<String> {
    let named = |label: &Option<String>| label.clone().unwrap_or_else(|| "no label".to_owned());
    let renamed = label
        .filter(|label| **label != before.label)
        .map(|label| format!("renamed from {} to {}", named(&before.label), named(label)));
    let was_paused = before.status == ConnectionStatus::Paused;
    let turned = change
        .paused
        .filter(|paused| *paused != was_paused)
        .map(|paused| if paused { "paused" } else { "resumed" }.to_owned());
    let bound = change
        .bindings
        .as_ref()
        .filter(|bindings| **bindings != before.bindings)
        .map(|bindings| match bindings.as_slice() {
            [] => "bound to no address".to_owned(),
            bindings => format!("bound to {}", bindings.join(", ")),
        });
    let parts: Vec<_> = renamed.into_iter().chain(turned).chain(bound).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
