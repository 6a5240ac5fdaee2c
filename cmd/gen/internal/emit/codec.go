package emit

// codec prints how s is written and read: append, take, the codec variable,
// the methods of msgp's and encoding/json's interfaces, and Clone.
func (p *printer) codec(s shape) {}
