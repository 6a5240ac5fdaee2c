module example.com/repodesk

go 1.26

tool github.com/nacre-store/nacre/cmd/gen

require (
	github.com/google/go-cmp v0.7.0
	github.com/nacre-store/nacre v0.0.0
	github.com/redis/rueidis v1.0.79
	github.com/shopspring/decimal v1.6.0
	github.com/tinylib/msgp v1.6.5
)

require (
	github.com/alicebob/miniredis/v2 v2.40.0 // indirect
	github.com/goccy/go-yaml v1.19.2 // indirect
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/nacre-store/nacre => ../..
