//! A cluster in the process: API server, controllers, pods that serve HTTP, a gateway that splits it, a metric store.
