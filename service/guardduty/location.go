package guardduty

import (
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"sumun.dev/detect/intel/format"
)

// locate returns the name of the file that a location means, relative to the
// folder of lists. Locations are file://NAME, or the file's full path, with file://
// or without: of entity sets the AWS CLI sends what is in the file that file:// names.
func (s *Service) locate(location string) (string, error) {
	u, err := url.Parse(location)
	if err != nil {
		return "", invalid("location")
	}
	switch {
	case u.Scheme == "s3" || u.Scheme == "https" || u.Scheme == "http":
		return "", bad("InvalidInputException", "The request is rejected because the location is in Amazon S3, which is not served yet; file://NAME means a file in the folder 'lists' of the plane's data folder.")
	case u.Scheme != "file" && !(u.Scheme == "" && path.IsAbs(u.Path) && u.Host == ""),
		u.RawQuery != "", u.Fragment != "", u.User != nil:
		return "", invalid("location")
	case s.env.Lists == "":
		return "", bad("InvalidInputException", "The request is rejected because this plane has no data folder, where list files would be.")
	}
	name := u.Path
	if u.Host != "" {
		name = u.Host + u.Path
	} else if folder := filepath.ToSlash(s.env.Lists) + "/"; strings.HasPrefix(name, folder) {
		name = strings.TrimPrefix(name, folder)
	} else {
		return "", outside()
	}
	if !fs.ValidPath(name) || name == "." || path.Clean(name) != name {
		return "", outside()
	}
	return name, nil
}

func outside() error {
	return bad("InvalidInputException", "The request is rejected because the location is not a file in the folder of lists.")
}

// open returns the content of a file of the folder of lists. A symbolic link on
// the way is refused, wherever it leads: who may write lists is not who may read
// what else is there.
func (s *Service) open(name string) ([]byte, error) {
	root, err := os.OpenRoot(s.env.Lists)
	if err != nil {
		return nil, unreadable(err)
	}
	defer root.Close()
	at := ""
	for part := range strings.SplitSeq(name, "/") {
		at = path.Join(at, part)
		info, err := root.Lstat(filepath.FromSlash(at))
		if err != nil {
			return nil, unreadable(err)
		}
		if info.Mode()&fs.ModeSymlink != 0 || at == name && !info.Mode().IsRegular() {
			return nil, outside()
		}
	}
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, unreadable(err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, format.MaxFile+1))
	if err != nil {
		return nil, unreadable(err)
	}
	return content, nil
}

// unreadable does not say more than that: the folder is the plane's.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return bad("InvalidInputException", "The request is rejected because the file at the location does not exist.")
	}
	return bad("InvalidInputException", "The request is rejected because the file at the location cannot be read.")
}
