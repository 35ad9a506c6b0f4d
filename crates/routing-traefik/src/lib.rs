//! Traffic split by Traefik's TraefikService.
