// Package deadline keeps ids in the order of their deadlines.
package deadline

import "container/heap"

// A Queue holds ids with a deadline each. It is not safe for concurrent use.
// The zero value is empty.
type Queue struct {
	items items
	by    map[string]*item
}

type item struct {
	id    string
	at    int64
	place int
}

// Set gives an id a deadline, in place of one that it has; 0 takes the id out.
func (q *Queue) Set(id string, at int64) {
	it := q.by[id]
	switch {
	case at == 0 && it != nil:
		heap.Remove(&q.items, it.place)
		delete(q.by, id)
	case at == 0:
	case it != nil:
		it.at = at
		heap.Fix(&q.items, it.place)
	default:
		if q.by == nil {
			q.by = map[string]*item{}
		}
		it = &item{id: id, at: at}
		q.by[id] = it
		heap.Push(&q.items, it)
	}
}

// Next returns the earliest deadline; 0 when the queue is empty.
func (q *Queue) Next() int64 {
	if len(q.items) == 0 {
		return 0
	}
	return q.items[0].at
}

// Due takes out and returns an id whose deadline is not after now; "" is none.
func (q *Queue) Due(now int64) string {
	if len(q.items) == 0 || q.items[0].at > now {
		return ""
	}
	it := heap.Pop(&q.items).(*item)
	delete(q.by, it.id)
	return it.id
}

type items []*item

func (s items) Len() int           { return len(s) }
func (s items) Less(i, j int) bool { return s[i].at < s[j].at }
func (s items) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].place, s[j].place = i, j
}

// Push is for package heap.
func (s *items) Push(x any) {
	it := x.(*item)
	it.place = len(*s)
	*s = append(*s, it)
}

// Pop is for package heap.
func (s *items) Pop() any {
	old := *s
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	return it
}
