package plan

// Kept returns, for each instruction in file order, whether it is kept in the lowered file.
func Kept(p *Plan) []bool {
	list := make([]bool, len(p.decisions))
	for i, d := range p.decisions {
		list[i] = d.Holds
	}
	return list
}
