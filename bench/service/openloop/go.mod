module property-search.bench/openloop

go 1.25.0
