package plan

// Survives reports, for each instruction in file order, whether it is in the
// lowered file.
func Survives(p *Plan) []bool {
	list := make([]bool, len(p.decisions))
	for i, d := range p.decisions {
		list[i] = d.Holds
	}
	return list
}
