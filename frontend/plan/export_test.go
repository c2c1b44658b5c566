package plan

// Survives reports, for each instruction in file order, whether it is in the
// lowered file.
func Survives(p *Plan) []bool {
	var list []bool
	for _, d := range p.globals {
		list = append(list, d.Holds)
	}
	for _, c := range p.Stages {
		list = append(list, c.Decision.Holds)
		for i := range c.Stage.Body {
			list = append(list, c.Decision.Holds && c.Body[i].Holds)
		}
	}
	return list
}
