module property-search/load

go 1.25
