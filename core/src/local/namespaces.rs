//! Namespaces of this node.

use crate::local::Server;
use crate::shared::namespaces::{Admission, Namespace};
use crate::types::error::{Error, ErrorCode, Result};

impl Server {
    /// Returns the namespace of that name, and creates it if it does not exist. A missing leading `/` is added.
    ///
    /// # Errors
    /// [`ErrorCode::Name`] for a name with a comma, which the protocol can't carry.
    pub fn namespace(&self, name: &str) -> Result<Namespace> {
        self.create_namespace(name, Admission::Core)
    }

    /// [`Server::namespace`] whose clients wait for [`Server::accept`], from the first client on; see
    /// [`Namespace::set_decide`].
    ///
    /// # Errors
    /// As [`Server::namespace`].
    pub fn deciding_namespace(&self, name: &str) -> Result<Namespace> {
        let namespace = self.create_namespace(name, Admission::Host)?;
        namespace.set_decide(true);
        Ok(namespace)
    }

    fn create_namespace(&self, name: &str, admission: Admission) -> Result<Namespace> {
        if name.contains(',') {
            return Err(Error::new(
                ErrorCode::Name,
                format!("namespace: expected a name without commas, got {name:?}"),
            ));
        }
        let name = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
        Ok(Namespace(self.core().namespaces.create(&name, admission)))
    }

    /// Removes a namespace: later CONNECTs to it are refused; its sockets stay connected.
    pub fn remove_namespace(&self, name: &str) {
        self.core().namespaces.remove(name);
    }
}
