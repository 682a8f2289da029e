package api

// CheckContent is checkContent, for a fuzz test.
var CheckContent = checkContent
