module github.com/nacre-store/nacre/bench

go 1.26.0

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/alicebob/miniredis/v2 v2.40.0
	github.com/nacre-store/nacre v0.0.0
	github.com/redis/rueidis v1.0.79
	github.com/shopspring/decimal v1.6.0
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
)

require (
	github.com/philhofer/fwd v1.2.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/tinylib/msgp v1.6.5 // indirect
	github.com/yuin/gopher-lua v1.1.1 // indirect
)

replace github.com/nacre-store/nacre => ../
