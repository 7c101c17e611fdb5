module property-search.local/traefik

go 1.24.0

// Only for its definitions: the newest version near the binary's that the module proxy has.
require github.com/traefik/traefik/v3 v3.7.13
