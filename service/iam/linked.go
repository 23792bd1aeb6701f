package iam

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// deletion is the last task that deleted a service-linked role, kept under the
// role's name in lower case.
type deletion struct{ Task string }

func (s *Service) linkedRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateServiceLinkedRole.To(s.createServiceLinkedRole, s.newLinkedRole),
		iamapi.DeleteServiceLinkedRole.To(s.deleteServiceLinkedRole, touchRole("iam:DeleteServiceLinkedRole", s, func(in *iamapi.DeleteServiceLinkedRoleRequest) string { return in.RoleName })),
		iamapi.GetServiceLinkedRoleDeletionStatus.To(s.getServiceLinkedRoleDeletionStatus, s.linkedTask),
	}
}

func (s *Service) createServiceLinkedRole(ctx context.Context, in *iamapi.CreateServiceLinkedRoleRequest) (*iamapi.CreateServiceLinkedRoleResponse, error) {
	l, ok := linkedServices()[in.AWSServiceName]
	if !ok {
		return nil, iamapi.InvalidInputException.New("AWS service name %s is not valid, or its service-linked role is not known here.", in.AWSServiceName)
	}
	if in.CustomSuffix != nil && !l.suffix {
		return nil, iamapi.InvalidInputException.New("Custom suffix is not allowed for %s", in.AWSServiceName)
	}
	r, err := newLinkedRole(in.AWSServiceName, l, in.CustomSuffix)
	if err != nil {
		return nil, err
	}
	r.Description = in.Description
	err = s.insertRole(ctx, aws.CallOf(ctx).Account, r)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.InvalidInputException.New("Service role name %s has been taken in this account, please try a different suffix.", r.Name)
	}
	if err != nil {
		return nil, err
	}
	shown, err := s.shownRole(ctx, r)
	if err != nil {
		return nil, err
	}
	shown.RoleLastUsed, shown.MaxSessionDuration = nil, nil
	return &iamapi.CreateServiceLinkedRoleResponse{Role: shown}, nil
}

// newLinkedRole makes a role that only its service can assume.
func newLinkedRole(service string, l linked, suffix *string) (*role, error) {
	trust, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Principal": map[string]string{"Service": service}, "Action": "sts:AssumeRole",
		}},
	})
	r := &role{
		Name: l.roleName(suffix), Path: linkedPath + service + "/", ID: aws.UniqueID("AROA"), Created: now(), Trust: string(trust), MaxSession: defaultSession,
	}
	r.Attached = []string{"arn:aws:iam::aws:policy/aws-service-role/" + l.policy}
	return r, err
}

// deleteServiceLinkedRole deletes at once: no service here keeps a role of its own
// in use. The task says so when it is asked.
func (s *Service) deleteServiceLinkedRole(ctx context.Context, in *iamapi.DeleteServiceLinkedRoleRequest) (*iamapi.DeleteServiceLinkedRoleResponse, error) {
	r, err := s.role(ctx, in.RoleName)
	if err != nil {
		return nil, err
	}
	if !r.linked() {
		return nil, iamapi.InvalidInputException.New("Role %s is not a service-linked role.", r.Name)
	}
	if err := s.removeRole(ctx, r); err != nil {
		return nil, err
	}
	d := &deletion{Task: "task" + r.Path + r.Name + "/" + aws.UUID()}
	return &iamapi.DeleteServiceLinkedRoleResponse{DeletionTaskId: d.Task}, s.deletions.Put(ctx, strings.ToLower(r.Name), d)
}

// taskOf returns what a deletion task's id names: the role's path with its name,
// and the name.
func taskOf(id string) (path, name string, ok bool) {
	parts := strings.Split(id, "/")
	if len(parts) != 5 || parts[0] != "task" || "/"+parts[1]+"/" != linkedPath || parts[2] == "" || parts[3] == "" {
		return "", "", false
	}
	return strings.Join(parts[1:4], "/"), parts[3], true
}

func (s *Service) getServiceLinkedRoleDeletionStatus(ctx context.Context, in *iamapi.GetServiceLinkedRoleDeletionStatusRequest) (*iamapi.GetServiceLinkedRoleDeletionStatusResponse, error) {
	_, name, ok := taskOf(in.DeletionTaskId)
	if !ok {
		return nil, iamapi.InvalidInputException.New("Invalid deletion task id %s", in.DeletionTaskId)
	}
	d, err := s.deletions.Get(ctx, strings.ToLower(name))
	if errors.Is(err, store.ErrNotFound) || err == nil && d.Task != in.DeletionTaskId {
		return nil, iamapi.NoSuchEntityException.New("Deletion task %s cannot be found.", in.DeletionTaskId)
	}
	if err != nil {
		return nil, err
	}
	return &iamapi.GetServiceLinkedRoleDeletionStatusResponse{Status: iamapi.DeletionTaskStatusTypeSucceeded}, nil
}
