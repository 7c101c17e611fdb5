module property-search.load/openloop

go 1.25.0
