module property-search.local/pause

go 1.24.0
