// Package deploy has the files that a Redis for trading state is deployed with.
package deploy

import _ "embed"

// RedisConf is redis.conf. The private servers of the tests run with it too, so
// that what is deployed is what was tested.
//
//go:embed redis.conf
var RedisConf []byte
