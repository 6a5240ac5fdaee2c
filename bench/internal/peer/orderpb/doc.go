// Package orderpb is order.proto as protoc and protoc-gen-go v1.36.12 generate it:
//
//	protoc --go_out=paths=source_relative:. order.proto
package orderpb
